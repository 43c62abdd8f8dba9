Feature: A step-up that ends without an approval
  Not every customer says yes. However the payment request ends, the Partner gets to know.

  @AP-17 @AP-21
  Scenario: The customer refuses
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer refuses the purchase
    Then Klarna notifies the acquirer by webhook that the payment request is declined
    And the acquirer tells the Partner that the payment is declined
    And the acquirer makes no final authorize

  @AP-17 @AP-21
  Scenario: Klarna cancels the payment request
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And Klarna cancels the payment request
    Then Klarna notifies the acquirer by webhook that the payment request is canceled
    And the acquirer tells the Partner that the payment is canceled
    And the acquirer makes no final authorize

  @AP-21
  Scenario: The customer takes too long
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the payment request expires
    Then Klarna notifies the acquirer by webhook that the payment request is expired
    And the acquirer tells the Partner that the payment is expired
    And the acquirer makes no final authorize
    And the Partner is not told that the payment is approved
