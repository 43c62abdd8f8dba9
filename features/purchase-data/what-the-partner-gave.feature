Feature: Purchase data
  What the Partner tells of the order, the customer and the shipping goes on to Klarna, as it was given.

  @AP-08
  Scenario: The purchase data goes with it
    Given a Partner with an order of 1299.50 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the purchase data of the order reached Klarna
